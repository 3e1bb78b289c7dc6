import type { ServiceImpl } from "@connectrpc/connect";
import type { ZedThreadService } from "@helix-zed/gen/helix/zed/v1/zed_thread_service_pb.ts";
import { actorOf } from "@helix-zed/server";
import type { App } from "../application/app.ts";
import { answerPermission } from "../application/answer-permission.ts";
import { cancelTurn } from "../application/cancel-turn.ts";
import { createZedThread } from "../application/create-zed-thread.ts";
import { deleteZedThread } from "../application/delete-zed-thread.ts";
import { getZedThread } from "../application/get-zed-thread.ts";
import { listEntries } from "../application/list-entries.ts";
import { sendMessage } from "../application/send-message.ts";
import { viewTurn } from "../application/turn-view.ts";
import { watchZedThread } from "../application/watch-zed-thread.ts";
import type { Turn } from "../domain/turn.ts";
import { entryMessage, threadMessage, turnMessage } from "./zed-thread-messages.ts";
import { answerCommand, createZedThreadCommand } from "./zed-thread-requests.ts";
import { changeMessage } from "./zed-thread-watch.ts";

/** ZedThreadService: request in, command through, message out. */
export function zedThreadService(app: App): ServiceImpl<typeof ZedThreadService> {
  const show = async (turn: Turn) => turnMessage(await viewTurn(app, turn));
  return {
    async createZedThread(request, context) {
      const actor = actorOf(context);
      const command = await createZedThreadCommand(app, actor, request);
      return { zedThread: threadMessage(await createZedThread(app, actor, command)) };
    },
    async getZedThread(request, context) {
      return { zedThread: threadMessage(await getZedThread(app, actorOf(context), request)) };
    },
    async deleteZedThread(request, context) {
      await deleteZedThread(app, actorOf(context), request);
      return {};
    },
    async sendMessage(request, context) {
      return { turn: await show(await sendMessage(app, actorOf(context), request)) };
    },
    async cancelTurn(request, context) {
      return { turn: await show(await cancelTurn(app, actorOf(context), request)) };
    },
    async answerPermission(request, context) {
      return { turn: await show(await answerPermission(app, actorOf(context), answerCommand(request))) };
    },
    async listEntries(request, context) {
      const { entries, nextPageToken } = await listEntries(app, actorOf(context), request);
      return { entries: entries.map(entryMessage), nextPageToken };
    },
    async *watchZedThread(request, context) {
      const changes = watchZedThread(app, actorOf(context), request, { signal: context.signal });
      for await (const change of changes) yield changeMessage(change);
    },
  };
}
