import { beforeNextFrame, element, fill, showList } from "./elements.js";
import { openTranscript } from "./transcript.js";
import { follow } from "./watch.js";

const connection = document.getElementById("connection");
const notice = document.getElementById("notice");
const taskList = document.getElementById("tasks");
const tasks = new Map();
const sessions = new Map();

/** The token comes behind the #, which no server sees; it leaves the address bar, and this tab remembers it. */
function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) sessionStorage.setItem("token", given);
  if (location.hash !== "") history.replaceState(null, "", location.pathname);
  return sessionStorage.getItem("token");
}

function showConnection(state, message) {
  connection.textContent = message ? `${state}: ${message}` : state;
  connection.dataset.state = state;
}

function showTasks(token) {
  notice.textContent = tasks.size === 0 ? "No tasks yet." : "";
  const newestFirst = [...tasks.values()].toSorted((a, b) => (a.created_at < b.created_at ? 1 : -1));
  showList(taskList, newestFirst, {
    make() {
      const child = element("li");
      child.append(element("h3", "name", "status", "note"), element("ul"));
      return child;
    },
    update(child, { id, name, status, status_reason }) {
      child.firstChild.dataset.status = status;
      fill(child.firstChild, { name, status, note: status_reason });
      showSessions(
        child.lastChild,
        [...sessions.values()].filter(({ task_id }) => task_id === id),
        token,
      );
    },
  });
}

function showSessions(list, ofTask, token) {
  showList(list, ofTask, {
    make(session) {
      const child = element("li");
      const button = element("button", "name", "status", "note");
      button.addEventListener("click", () => {
        for (const other of taskList.querySelectorAll("button")) other.ariaPressed = String(other === button);
        openTranscript(session, token);
      });
      child.append(button);
      return child;
    },
    update(child, { name, status, status_reason, agent_type, result }) {
      child.firstChild.dataset.status = status;
      const note = result?.error || result?.summary || status_reason || agent_type;
      fill(child.firstChild, { name, status, note });
    },
  });
}

function start(token) {
  const draw = beforeNextFrame(() => showTasks(token));
  void follow("/api/v1/tasks:watch?include_work_sessions=true", {
    token,
    signal: new AbortController().signal,
    onState: showConnection,
    onReset() {
      tasks.clear();
      sessions.clear();
    },
    onData({ changed = {}, deleted = {} }) {
      if (changed.task) tasks.set(changed.task.id, changed.task);
      if (changed.work_session) sessions.set(changed.work_session.id, changed.work_session);
      tasks.delete(deleted.task_id);
      sessions.delete(deleted.work_session_id);
      draw();
    },
  });
}

const token = takeToken();
if (token === null) {
  showConnection("refused", "there is no token");
  notice.textContent = "Open this page with the link that the start command printed: it carries a token.";
} else {
  start(token);
}
