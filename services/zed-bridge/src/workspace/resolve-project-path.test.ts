import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resolveProjectPath } from "./resolve-project-path.ts";

let folder: string;
let roots: string[];
const at = (...names: string[]): string => path.join(folder, ...names);

beforeAll(() => {
  folder = mkdtempSync(path.join(realpathSync(tmpdir()), "project-path-"));
  for (const name of ["root/project", "root-elsewhere", "outside/project"]) mkdirSync(at(name), { recursive: true });
  writeFileSync(at("root/file"), "");
  symlinkSync(at("outside/project"), at("root/escape"));
  symlinkSync(at("root/project"), at("outside/entrance"));
  symlinkSync(at("root"), at("link-to-root"));
  roots = [realpathSync(at("link-to-root"))];
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("a project path", () => {
  test("below a root is taken, by its real name", async () => {
    expect(await resolveProjectPath(at("root/project"), roots)).toBe(at("root/project"));
    expect(await resolveProjectPath(at("root/../root/./project/"), roots)).toBe(at("root/project"));
    expect(await resolveProjectPath(at("link-to-root/project"), roots)).toBe(at("root/project"));
    expect(await resolveProjectPath(at("outside/entrance"), roots)).toBe(at("root/project"));
    expect(await resolveProjectPath(at("root"), roots)).toBe(at("root"));
  });

  test.each([
    ["outside of the roots", "outside/project", "PROJECT_PATH_OUTSIDE_ROOTS"],
    ["that only begins like a root", "root-elsewhere", "PROJECT_PATH_OUTSIDE_ROOTS"],
    ["that climbs out", "root/../outside/project", "PROJECT_PATH_OUTSIDE_ROOTS"],
    ["that leads out by a link", "root/escape", "PROJECT_PATH_OUTSIDE_ROOTS"],
    ["outside of the roots, whether it exists or not", "outside/nothing", "PROJECT_PATH_OUTSIDE_ROOTS"],
    ["that does not exist", "root/nothing", "PROJECT_PATH_MISSING"],
    ["that is a file", "root/file", "PROJECT_PATH_MISSING"],
  ])("%s is refused", async (_, name, reason) => {
    await expect(resolveProjectPath(at(name), roots)).rejects.toMatchObject({
      reason,
      violations: [{ field: "project_path" }],
    });
  });

  test.each([
    ["", "PROJECT_PATH_REQUIRED"],
    ["root/project", "PROJECT_PATH_NOT_ABSOLUTE"],
    ["/root\0/project", "PROJECT_PATH_NOT_ABSOLUTE"],
  ])("that reads %j is refused", async (given, reason) => {
    await expect(resolveProjectPath(given, roots)).rejects.toMatchObject({ reason });
  });

  test("is refused where no root is configured", async () => {
    const refused = resolveProjectPath(at("root/project"), []);
    await expect(refused).rejects.toMatchObject({ reason: "PROJECT_PATH_OUTSIDE_ROOTS" });
  });
});
