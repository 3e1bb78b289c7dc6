import { ZedInstanceSchema } from "@helix-zed/gen/helix/zed/v1/zed_instance_pb.ts";
import type { Command } from "commander";
import { allPages } from "../all-pages.ts";
import { instanceColumns } from "../columns.ts";
import { limitOption } from "../options.ts";
import { required } from "../required.ts";
import type { OpenSession } from "../session.ts";

/** `helix-zed instance …` */
export function addInstanceCommands(program: Command, open: OpenSession): void {
  const instances = program.command("instance").description("The editor processes that hold threads");
  instances
    .command("list")
    .description("List instances, newest first")
    .option("--task <task-id>", "only those of this task")
    .addOption(limitOption())
    .action(async ({ task: taskId = "", limit }: { task?: string; limit: number }) => {
      const { client, output, signal } = open();
      const rows = await allPages(limit, async (page) => {
        const answer = await client.zedInstances.listZedInstances({ taskId, ...page }, { signal });
        return { rows: answer.zedInstances, nextPageToken: answer.nextPageToken };
      });
      output.resources(ZedInstanceSchema, rows, instanceColumns);
    });
  instances
    .command("get <id>")
    .description("Show one instance and the last lines that it wrote")
    .action(async (id: string) => {
      const { client, output, signal } = open();
      const { zedInstance } = await client.zedInstances.getZedInstance({ id }, { signal });
      output.resource(ZedInstanceSchema, required(zedInstance), instanceColumns);
      for (const line of required(zedInstance).lastLogLines) output.text(line);
    });
  instances
    .command("stop <id>")
    .description("Stop an instance; it is started again when one of its threads has work")
    .action(async (id: string) => {
      const { client, output, signal } = open();
      const { zedInstance } = await client.zedInstances.stopZedInstance({ id }, { signal });
      output.resource(ZedInstanceSchema, required(zedInstance), instanceColumns);
    });
}
