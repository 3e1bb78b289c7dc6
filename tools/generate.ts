// `npm run generate`: the code in packages/gen from the contract in proto/, and that of packages/transcoding.

import path from "node:path";
import { replaceStaleFiles, withGeneratedCode } from "./generated-code.ts";

const root = path.resolve(import.meta.dirname, "..");

const replaced = await withGeneratedCode(root, (fresh) => replaceStaleFiles(fresh, root)).catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
for (const file of replaced) console.log(`${file.problem}: ${file.path}`);
console.log(
  replaced.length === 0 ? "The generated code is up to date." : `${replaced.length} files brought up to date.`,
);
