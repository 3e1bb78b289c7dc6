import { beforeNextFrame, element, fill, showList } from "./elements.js";
import { follow } from "./watch.js";

const heading = document.getElementById("transcript-heading");
const summary = document.getElementById("thread");
const list = document.getElementById("entries");
let open = new AbortController();

/** Shows the transcript of a session, live, in place of the one that was shown before. */
export function openTranscript({ id, name }, token) {
  open.abort();
  open = new AbortController();
  const { signal } = open;
  const known = { thread: undefined, turns: new Map(), entries: new Map() };
  const draw = beforeNextFrame(() => signal.aborted || showThread(known));
  document.getElementById("transcript").hidden = false;
  heading.textContent = name;
  heading.focus();
  list.replaceChildren();
  void follow(`/api/v1/work-sessions/${encodeURIComponent(id)}/zed-thread:watch`, {
    token,
    signal,
    onState(state, message) {
      if (known.thread === undefined) summary.textContent = message ?? state;
    },
    onReset() {
      known.turns.clear();
      known.entries.clear();
    },
    onData({ changed = {}, deleted = {} }) {
      known.thread = changed.zed_thread ?? known.thread;
      if (changed.turn) known.turns.set(changed.turn.id, changed.turn);
      if (changed.entry) known.entries.set(changed.entry.id, changed.entry);
      known.entries.delete(deleted.entry_id);
      draw();
    },
  });
}

function showThread({ thread = {}, turns, entries }) {
  const turn = thread.latest_turn;
  const parts = [thread.agent_name, thread.status, turn && `turn ${turn.number} ${turn.status}`];
  summary.textContent = [...parts, turn?.error || thread.status_reason].filter(Boolean).join(" · ");
  const turnNumber = ({ turn_id }) => turns.get(turn_id)?.number ?? Infinity;
  const inOrder = [...entries.values()].toSorted((a, b) => turnNumber(a) - turnNumber(b) || a.position - b.position);
  showList(list, inOrder, {
    make: () => element("li", "who", "text"),
    update(child, { role, type, content, tool_name, tool_status }) {
      child.dataset.kind = type === "tool_call" ? "tool" : role;
      fill(child, { who: [tool_name || role, tool_status].filter(Boolean).join(" · "), text: content });
    },
  });
}
