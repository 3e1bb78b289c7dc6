import { z } from "zod";

/**
 * How to run an agent. `command` is a name looked up on PATH or an absolute path; nothing is run through a shell.
 */
export const agentDefinition = z.strictObject({
  /** The name on the wire. */
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
  /** Other names that mean the same agent. */
  aliases: z.array(z.string()).default([]),
  command: z.string().min(1),
  args: z.array(z.string()).default([]),
  /** Variables with fixed values. */
  env: z.record(z.string(), z.string()).default({}),
  /** Names of variables that the agent gets from the host's own environment; a trailing `*` stands for any ending. */
  env_names: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*\*?$/)).default([]),
  /** Files that are put into the agent's home before its first start, by path in it. Existing files are kept. */
  home_files: z.record(z.string().regex(/^(?!\/|.*\.\.).+$/), z.string()).default({}),
  /** The session mode that is set when a thread is created or loaded. */
  default_mode: z.string().min(1).optional(),
  /** Whether the host answers requests for permission with "allow once"; if not, they wait. */
  auto_approve: z.boolean().default(true),
  /** gemini loses a session that is loaded within the clock minute in which it was created. */
  load_in_later_minute: z.boolean().default(false),
  /** Whether all threads of a process see the MCP servers of each: then one would act as another, so it is given none. */
  shares_mcp_servers: z.boolean().default(false),
  /** Whether each thread has a process of its own, in which nothing is shared. */
  process_per_thread: z.boolean().default(false),
});

/** How to run an agent, with all defaults filled in. */
export type AgentDefinition = z.infer<typeof agentDefinition>;

/** The file that adds agents to the built-in ones, or replaces those of the same name. */
export const agentsFile = z.strictObject({ agents: z.array(agentDefinition) });
