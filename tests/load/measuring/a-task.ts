import type { CreateTask } from "../../../services/task-service/src/application/create-task.ts";

/** A task as callers ask for it, with the one work session of its type. */
export const aTask: CreateTask = {
  name: "Implement authentication",
  description: "Users can log in, and stay logged in. ".repeat(8),
  taskType: "batch",
  priority: 0,
  appId: "",
  projectPath: "/work/project",
  config: { labels: ["security"], estimate_hours: 3 },
  workSessions: [],
  requestId: null,
};
