import { create, fromJson, type JsonObject } from "@bufbuild/protobuf";
import { CreateTaskRequestSchema, WatchTasksRequestSchema } from "@helix-zed/gen/helix/task/v1/task_service_pb.ts";
import { ServerReflectionResponseSchema } from "@helix-zed/gen/grpc/reflection/v1/reflection_pb.ts";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { unstorableText } from "./unstorable-text.ts";

const NUL = "a\0b";
const HALF = "\uD83D";

function fieldsOf(init: Parameters<typeof create<typeof CreateTaskRequestSchema>>[1]): string[] {
  const found = unstorableText(CreateTaskRequestSchema, create(CreateTaskRequestSchema, init));
  return found.map(({ field }) => field);
}

describe("text that cannot be stored", () => {
  test("is found wherever it stands, and its place spelled as the rules in the proto spell theirs", () => {
    const fields = fieldsOf({
      name: NUL,
      projectPath: HALF,
      config: { "a.b": NUL, list: ["well", [HALF]], 'say "so"': { deep: NUL }, number: 1, nothing: null },
      workSessions: [{ name: "well" }, { name: HALF, agentConfig: { prompt: NUL, extra: { key: [NUL] } } }],
    });
    expect(fields.toSorted()).toEqual(
      [
        "name",
        "project_path",
        'config["a.b"]',
        'config["list"][1][0]',
        'config["say \\"so\\""]["deep"]',
        "work_sessions[1].name",
        "work_sessions[1].agent_config.prompt",
        'work_sessions[1].agent_config.extra["key"][0]',
      ].toSorted(),
    );
  });

  test("is found in lists of texts and in what is one of several", () => {
    const request = create(WatchTasksRequestSchema, { taskIds: ["well", NUL] });
    expect(unstorableText(WatchTasksRequestSchema, request).map(({ field }) => field)).toEqual(["task_ids[1]"]);
    const several = create(ServerReflectionResponseSchema, {
      messageResponse: { case: "errorResponse", value: { errorMessage: HALF } },
    });
    expect(unstorableText(ServerReflectionResponseSchema, several).map(({ field }) => field)).toEqual([
      "error_response.error_message",
    ]);
  });

  test("in a key is told of the field that holds the key, once", () => {
    const config: JsonObject = { [NUL]: HALF, [HALF]: 1, well: { [NUL]: 2 } };
    const found = unstorableText(CreateTaskRequestSchema, create(CreateTaskRequestSchema, { config }));
    const description = "must not have keys with NUL characters or lone surrogates";
    expect(found).toEqual([
      { field: "config", description },
      { field: 'config["well"]', description },
    ]);
  });

  test("is found in a message that is a map of messages", () => {
    const found = unstorableText(StructSchema, fromJson(StructSchema, { "a.b": NUL, [HALF]: "well" }));
    expect(found.map(({ field }) => field)).toEqual(["fields", 'fields["a.b"].string_value']);
  });

  test("is not what is strange and whole", () => {
    expect(fieldsOf({ name: "\u202E\uFEFF\n\x01 👩‍👩‍👧‍👦", config: { "": "", __proto__x: ["\uFFFF"] } })).toEqual([]);
  });
});
