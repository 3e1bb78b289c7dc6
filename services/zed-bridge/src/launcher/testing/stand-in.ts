// Programs that stand in for an editor and misbehave in one way each, as arguments of Node: `--eval`, the source.

const sources = {
  /** Exits at once, saying why. */
  exits: 'console.error("no licence found"); process.exit(3)',
  /** Runs on and does nothing, until it is told to end. */
  waits: "setInterval(() => {}, 60_000)",
  /** Does not end when it is told to. */
  ignoresTerm: 'process.on("SIGTERM", () => {}); setInterval(() => {}, 60_000); console.log("deaf")',
  /** Starts a process in a group of its own, as agents do, and another in its own group; both outlive it. */
  forks: `
    const { spawn } = require("node:child_process");
    const sleeper = [process.execPath, ["--eval", 'process.on("SIGTERM", () => {}); setInterval(() => {}, 60000)']];
    spawn(...sleeper, { detached: true, stdio: "ignore" }).unref();
    spawn(...sleeper, { stdio: "ignore" }).unref();
    console.log("forked");
    setInterval(() => {}, 60000);`,
  /** Writes as fast as it can. */
  floods: `
    const line = "x".repeat(1023) + "\\n";
    const block = Buffer.from(line.repeat(1024));
    let left = 100;
    (function more() { if (left-- > 0) process.stdout.write(block, more); else console.log("the end"); })();
    setInterval(() => {}, 60000);`,
} as const;

/** How a stand-in misbehaves. */
export type StandIn = keyof typeof sources;

/** The arguments that make Node a stand-in. */
export function standInArgs(standIn: StandIn): string[] {
  return ["--eval", sources[standIn]];
}

/** Whether there is a stand-in of this name. */
export function isStandIn(name: string): name is StandIn {
  return Object.hasOwn(sources, name);
}
