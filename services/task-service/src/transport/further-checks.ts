import type { DescMessage, Message, MessageShape } from "@bufbuild/protobuf";
import { Refusal, type Violation } from "@helix-zed/domain";
import {
  BindHelixSessionRequestSchema,
  ClaimWorkSessionRequestSchema,
  ReleaseWorkSessionRequestSchema,
} from "@helix-zed/gen/helix/task/v1/runner_service_pb.ts";
import {
  CreateTaskRequestSchema,
  DeleteTaskRequestSchema,
  ListTasksRequestSchema,
  UpdateTaskStatusRequestSchema,
  WatchTasksRequestSchema,
} from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import {
  CreateWorkSessionRequestSchema,
  ListWorkSessionsRequestSchema,
  UpdateWorkSessionStatusRequestSchema,
  WatchWorkSessionsRequestSchema,
} from "@helix-zed/gen/helix/task/v1/work_session_service_pb.ts";
import { RequestCheck, type RequestRules } from "./request-check.ts";
import { bindHelixSessionCommand, claimWorkSessionCommand, releaseWorkSessionCommand } from "./runner-requests.ts";
import {
  createTaskCommand,
  deleteTaskCommand,
  listTasksCommand,
  updateTaskStatusCommand,
  watchTasksCommand,
} from "./task-requests.ts";
import {
  createWorkSessionCommand,
  listWorkSessionsCommand,
  updateWorkSessionStatusCommand,
  watchWorkSessionsCommand,
} from "./work-session-requests.ts";

type Reader = (request: Message, check: RequestCheck) => unknown;

/** How each request is read. One that is not here has nothing to it that its proto does not say. */
const readers: ReadonlyMap<string, Reader> = new Map([
  reader(CreateTaskRequestSchema, createTaskCommand),
  reader(ListTasksRequestSchema, listTasksCommand),
  reader(UpdateTaskStatusRequestSchema, updateTaskStatusCommand),
  reader(DeleteTaskRequestSchema, deleteTaskCommand),
  reader(WatchTasksRequestSchema, watchTasksCommand),
  reader(CreateWorkSessionRequestSchema, createWorkSessionCommand),
  reader(ListWorkSessionsRequestSchema, listWorkSessionsCommand),
  reader(UpdateWorkSessionStatusRequestSchema, updateWorkSessionStatusCommand),
  reader(WatchWorkSessionsRequestSchema, watchWorkSessionsCommand),
  reader(ClaimWorkSessionRequestSchema, claimWorkSessionCommand),
  reader(ReleaseWorkSessionRequestSchema, releaseWorkSessionCommand),
  reader(BindHelixSessionRequestSchema, bindHelixSessionCommand),
]);

/** What is wrong with a request beyond the rules in its proto, so that both can be told at once. */
export function furtherChecks(rules: RequestRules): (schema: DescMessage, request: Message) => readonly Violation[] {
  return (schema, request) => {
    const check = new RequestCheck(rules);
    try {
      const read = readers.get(schema.typeName);
      if (read === undefined) check.done();
      else read(request, check);
      return [];
    } catch (error) {
      if (error instanceof Refusal) return error.violations;
      throw error;
    }
  };
}

function reader<Schema extends DescMessage>(
  schema: Schema,
  read: (request: MessageShape<Schema>, check: RequestCheck) => unknown,
): [string, Reader] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked up by the request's own type name
  return [schema.typeName, (request, check) => read(request as MessageShape<Schema>, check)];
}
