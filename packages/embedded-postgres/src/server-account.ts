import { readFileSync } from "node:fs";

/** The system account that the server runs as where this process itself may not run it. */
export interface ServerAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const CANDIDATES = ["postgres", "nobody"];

/** PostgreSQL refuses to run as root: then it is an account that exists on every machine; undefined otherwise. */
export function serverAccount(): ServerAccount | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync("/etc/passwd", "utf8").split("\n").map(parseAccount);
  const account = CANDIDATES.map((name) => accounts.find((found) => found.name === name)).find(Boolean);
  if (account !== undefined) return account;
  throw new Error("PostgreSQL does not run as root, and there is no account postgres or nobody to run it as.");
}

function parseAccount(line: string): ServerAccount {
  const [name = "", , uid, gid] = line.split(":");
  return { name, uid: Number(uid), gid: Number(gid) };
}
