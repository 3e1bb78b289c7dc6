const retryMsMin = 500;
const retryMsMax = 10_000;
// The server is never silent for more than 15 s: after three times that the connection is dead, whatever it says.
const silenceMsMax = 45_000;
const finalErrors = ["UNAUTHENTICATED", "PERMISSION_DENIED", "INVALID_ARGUMENT"];

/**
 * Follows a watch over server-sent events until it ends, is refused or `signal` aborts. A connection that breaks is made
 * anew and goes on after the last event. `onState` hears connecting, live, reconnecting, ended or refused; `onReset` that
 * a snapshot follows, which replaces everything known; `onData` the data of each event.
 */
export async function follow(path, { token, signal, onState, onReset, onData }) {
  const watch = { path, token, signal, lastEventId: "", retryMs: retryMsMin };
  onState("connecting");
  for (;;) {
    const failure = await readOnce(watch, { onState, onReset, onData });
    if (signal.aborted) break;
    if (failure === undefined) return onState("ended");
    if (finalErrors.includes(failure.status)) return onState("refused", failure.message);
    // The log no longer reaches back that far: a new snapshot does.
    if (failure.status === "OUT_OF_RANGE") watch.lastEventId = "";
    onState("reconnecting", failure.message);
    await new Promise((resolve) => setTimeout(resolve, watch.retryMs * (0.5 + Math.random())));
    watch.retryMs = Math.min(2 * watch.retryMs, retryMsMax);
  }
  return undefined;
}

/** Reads one connection to its end; gives undefined if the watch itself has ended, else what went wrong. */
async function readOnce(watch, { onState, onReset, onData }) {
  const silence = new AbortController();
  const headers = { accept: "text/event-stream", authorization: `Bearer ${watch.token}` };
  if (watch.lastEventId !== "") headers["last-event-id"] = watch.lastEventId;
  try {
    const response = await fetch(watch.path, { headers, signal: AbortSignal.any([watch.signal, silence.signal]) });
    if (!response.ok) return (await response.json()).error;
    onState("live");
    if (watch.lastEventId === "") onReset();
    for await (const { id, event, data } of readEvents(response.body, silence)) {
      if (event === "end") return undefined;
      if (event === "error") return data.error;
      watch.retryMs = retryMsMin;
      watch.lastEventId = id ?? watch.lastEventId;
      onData(data);
    }
    return {};
  } catch {
    return {};
  }
}

async function* readEvents(body, silence) {
  let buffer = "";
  let timer = 0;
  try {
    for await (const text of body.pipeThrough(new TextDecoderStream())) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMsMax);
      const blocks = (buffer + text).split("\n\n");
      buffer = blocks.pop();
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s, 2)));
        if (fields.data !== undefined) yield { ...fields, data: JSON.parse(fields.data) };
      }
    }
  } finally {
    clearTimeout(timer);
  }
}
