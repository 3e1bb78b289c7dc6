// What does GetTask cost, beside the select that it consists of?
//
//   raw        select … where id = $1, sent by the driver, which turns the row into an object
//   prepared   the same as a prepared statement
//   use case   getTask in this process
//   Connect    the same over HTTP/2, in a process of its own: authentication, validation, the answer
//   gRPC       the same in the other protocol
//
// The CPU of the last two is the server's alone.

import { createClient } from "@connectrpc/connect";
import { TaskService } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { getTask } from "../../services/task-service/src/application/get-task.ts";
import { addTasks, taskId } from "./measuring/many-tasks.ts";
import { ada, withApp, withPool } from "./measuring/load-app.ts";
import { withLoadDatabase } from "./measuring/load-database.ts";
import { withLoadService } from "./measuring/load-service.ts";
import { say, sayFigures, sayGoal, sayMachine } from "./measuring/report.ts";
import { runRounds } from "./measuring/rounds.ts";
import { usualRounds } from "./measuring/size.ts";

const RAW_GOAL = 0.6;
const TASKS = 10_000;
const SELECT = "select * from tasks where id = $1";

await withLoadDatabase((database) =>
  withPool(database.url, (pool) =>
    withApp(database.url, (app) =>
      withLoadService(database, async (service) => {
        await addTasks(pool, { upTo: TASKS });
        const anyId = (): string => taskId(10 * Math.floor((Math.random() * TASKS) / 10));
        const overConnect = createClient(TaskService, service.transport("connect"));
        const overGrpc = createClient(TaskService, service.transport("grpc"));
        const { cpuUs } = service;
        const figures = await runRounds(
          [
            { name: "raw", operation: () => pool.query(SELECT, [anyId()]) },
            { name: "prepared", operation: () => pool.query({ name: "task", text: SELECT, values: [anyId()] }) },
            { name: "use case", operation: () => getTask(app, ada, { taskId: anyId() }) },
            { name: "Connect", operation: () => overConnect.getTask({ id: anyId() }), cpuUs },
            { name: "gRPC", operation: () => overGrpc.getTask({ id: anyId() }), cpuUs },
          ],
          { ...usualRounds, databaseCpuUs: database.cpuUs },
        );
        sayMachine();
        say(
          `GetTask, ${usualRounds.workers} at a time, medians of ${usualRounds.rounds} rounds of ${usualRounds.seconds} s`,
        );
        sayFigures(figures);
        const [raw, prepared, useCase] = figures.map(({ perSecond }) => perSecond);
        sayGoal("use case / raw", (useCase ?? 0) / (raw ?? 1), { atLeast: RAW_GOAL });
        say(`         use case / prepared: ${((useCase ?? 0) / (prepared ?? 1)).toFixed(2)}`);
      }),
    ),
  ),
);
