import { describeAgent } from "./describe-agent.ts";
import { qwen } from "./agent-profile.ts";

describeAgent(qwen);
