export { startDemoModel, type DemoModel, type DemoModelOptions } from "./start-demo-model.ts";
export { defaultScript } from "./default-script.ts";
export { ModelError, text, type Reply, type ReplyEvent, type Script, type Stage } from "./reply.ts";
export { callToWrite, type WantedFile } from "./file-tool.ts";
export type { Conversation, ToolOffer, ToolResult, Wire } from "./conversation.ts";
