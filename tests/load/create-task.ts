// What does CreateTask cost, beside the inserts that it consists of?
//
//   raw        begin; the same inserts; commit, sent by the driver
//   use case   createTask in this process: entities, unit of work, change log, numbering
//   Connect    the same over HTTP/2, in a process of its own: authentication, parsing, validation, the answer
//
// The database is one and the same, commits are durable.

import { createClient } from "@connectrpc/connect";
import { TaskType } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { createTask } from "../../services/task-service/src/application/create-task.ts";
import { aTask } from "./measuring/a-task.ts";
import { ada, withApp, withPool } from "./measuring/load-app.ts";
import { withLoadDatabase } from "./measuring/load-database.ts";
import { withLoadService } from "./measuring/load-service.ts";
import { createRaw } from "./measuring/raw-create.ts";
import { say, sayFigures, sayGoal, sayMachine } from "./measuring/report.ts";
import { runRounds } from "./measuring/rounds.ts";
import { usualRounds } from "./measuring/size.ts";

const RAW_GOAL = 0.5;

await withLoadDatabase((database) =>
  withPool(database.url, (pool) =>
    withApp(database.url, (app) =>
      withLoadService(database, async (service) => {
        const client = createClient(TaskService, service.transport("connect"));
        const request = {
          ...aTask,
          taskType: TaskType.BATCH,
          requestId: "",
          config: aTask.config ?? {},
          workSessions: [],
        };
        const figures = await runRounds(
          [
            { name: "raw", operation: () => createRaw(pool) },
            { name: "use case", operation: () => createTask(app, ada, aTask) },
            { name: "Connect", operation: () => client.createTask(request), cpuUs: service.cpuUs },
          ],
          { ...usualRounds, databaseCpuUs: database.cpuUs },
        );
        sayMachine();
        say(
          `CreateTask, ${usualRounds.workers} at a time, medians of ${usualRounds.rounds} rounds of ${usualRounds.seconds} s`,
        );
        sayFigures(figures);
        const [raw, useCase] = figures;
        sayGoal("use case / raw", (useCase?.perSecond ?? 0) / (raw?.perSecond ?? 1), { atLeast: RAW_GOAL });
      }),
    ),
  ),
);
