// Tells a task's life in a terminal: a line for each change of status, and the transcript as it grows.

import { TaskStatus } from "@helix-zed/gen/helix/task/v1/task_pb.ts";
import type { WatchTasksResponse } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { type WorkSession, WorkSessionStatus } from "@helix-zed/gen/helix/task/v1/work_session_pb.ts";
import { type Entry, EntryRole, EntryType } from "@helix-zed/gen/helix/zed/v1/zed_thread_pb.ts";
import type { WatchZedThreadResponse } from "@helix-zed/gen/helix/zed/v1/zed_thread_service_pb.ts";
import { plainText } from "./plain-text.ts";

/** Prints what it hears of, each thing once. */
export class DemoStory {
  readonly #print: (text: string) => void;
  readonly #lastLines = new Map<string, string>();
  #printedEntry = { id: "", text: "" };

  constructor(print: (text: string) => void) {
    this.#print = print;
  }

  /** Tells of a task or a session; gives the id of a work session whose thread can be followed. */
  hearOfTask(event: WatchTasksResponse["event"]): string | undefined {
    const resource = event.case === "changed" ? event.value.resource : undefined;
    if (resource?.case === "task") this.#line("task", named(TaskStatus, resource.value.status));
    if (resource?.case !== "workSession") return undefined;
    this.#line("session", describeSession(resource.value));
    return resource.value.status === WorkSessionStatus.ACTIVE ? resource.value.id : undefined;
  }

  /** Tells a transcript until its thread has ended. */
  async follow(watch: AsyncIterable<WatchZedThreadResponse>): Promise<void> {
    for await (const { event } of watch) {
      const resource = event.case === "changed" ? event.value.resource : undefined;
      if (resource?.case === "entry") this.#hearOfEntry(resource.value);
    }
    this.#print("\n");
  }

  #hearOfEntry(entry: Entry): void {
    if (entry.type === EntryType.TOOL_CALL) {
      this.#line(entry.id, `${unescaped(entry.toolName)} (${entry.toolStatus.toLowerCase()})`, "tool");
    } else if (entry.content !== "") {
      this.#grow(entry);
    }
  }

  /** Prints only what is new where an entry goes on growing, else all of it. */
  #grow({ id, role, content }: Entry): void {
    const text = plainText(content);
    const isSame = id === this.#printedEntry.id && text.startsWith(this.#printedEntry.text);
    const heading = label(role === EntryRole.USER ? "prompt" : "agent");
    this.#print(isSame ? text.slice(this.#printedEntry.text.length) : `\n${heading}${text}`);
    this.#printedEntry = { id, text };
  }

  #line(key: string, text: string, heading = key): void {
    if (this.#lastLines.get(key) === text) return;
    this.#lastLines.set(key, text);
    this.#printedEntry = { id: "", text: "" };
    this.#print(`\n${label(heading)}${plainText(text)}`);
  }
}

/** A label is markdown; in a terminal its escapes only disturb. */
function unescaped(markdown: string): string {
  return markdown.replaceAll(/\\([^\w\s])/g, "$1");
}

function describeSession({ status, lease, result }: WorkSession): string {
  const holder = status === WorkSessionStatus.PENDING && lease !== undefined ? `, claimed by ${lease.runner}` : "";
  const end = result?.error === undefined || result.error === "" ? "" : `: ${result.error}`;
  return `${named(WorkSessionStatus, status)}${holder}${end}`;
}

function named(names: Readonly<Record<string, string | number>>, status: number): string {
  const name = Object.entries(names).find(([, value]) => value === status)?.[0] ?? String(status);
  return name.toLowerCase();
}

function label(text: string): string {
  return `  ${text.padEnd(12)}`;
}
