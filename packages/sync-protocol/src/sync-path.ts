/** Where an editor connects: this path, with its own id as `?session_id=`. */
export const syncPath = "/api/v1/external-agents/sync";
