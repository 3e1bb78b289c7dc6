import { execFile } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

const git = promisify(execFile);

const README = `# A repository for first tries

Agents that Helix-Zed starts may write here. Delete the folder whenever you like: the next start makes it anew.
`;

/** A small git repository with one commit in the given folder; made once, under another name first. */
export async function provideDemoRepository(folder: string): Promise<string> {
  if (existsSync(path.join(folder, ".git"))) return folder;
  const work = `${folder}.new`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  writeFileSync(path.join(work, "README.md"), README);
  for (const args of [
    ["init", "--quiet", "--initial-branch=main"],
    ["config", "user.name", "Helix-Zed"],
    ["config", "user.email", "helix-zed@localhost"],
    ["add", "."],
    ["commit", "--quiet", "--no-gpg-sign", "--message=Begin"],
  ])
    await git("git", args, { cwd: work });
  rmSync(folder, { recursive: true, force: true });
  renameSync(work, folder);
  return folder;
}
