import { mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";

/** Writes a file of mode 0600 that nobody ever reads half of; its folder is made if there is none. */
export async function writeWhole(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
