/** The real path of a project folder. Refuses one that is absent, no folder, or not under one of the roots. */
export async function resolveProjectPath(_path: string, _roots: readonly string[]): Promise<string> {
  throw new Error("not written yet");
}
