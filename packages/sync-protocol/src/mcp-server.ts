import { z } from "zod";
import { id } from "./wire-text.ts";

const mcpServersMax = 16;
const headersMax = 32;
const headerLengthMax = 8_192;

const headerValue = z.string().max(headerLengthMax);

/** An MCP server that an agent may use, over streamable HTTP. Its headers may carry a secret: never log one. */
export const mcpServer = z.object({
  name: id,
  url: z.url({ protocol: /^https?$/ }),
  headers: z.array(z.object({ name: id, value: headerValue })).max(headersMax),
});

/** An MCP server that an agent may use, over streamable HTTP. */
export type McpServer = z.output<typeof mcpServer>;

/**
 * The MCP servers for the agent's session of a thread, where it is created or loaded. Absent: those that the host was
 * told of before, in the same life of its process.
 */
export const mcpServers = z.array(mcpServer).max(mcpServersMax).optional();
