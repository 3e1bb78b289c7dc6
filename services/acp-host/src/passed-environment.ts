// What a process gets from the environment of the one that starts it: where programs are, which language to speak, how to
// reach the network, and the variables that agents are defined to need. Everything else stays out: databases, tokens, and
// whatever the machine has set for other purposes. In particular IS_SANDBOX, which some machines set to "yes" and which
// makes claude exit at once unless it is exactly "1".

/** Variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

const ALWAYS = [
  "PATH",
  "LANG",
  "LC_ALL",
  "LC_CTYPE",
  "TZ",
  "TERM",
  "SHELL",
  "USER",
  "LOGNAME",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "NODE_EXTRA_CA_CERTS",
];

/** What is passed on; a trailing `*` in a name stands for any ending. */
export function passedEnvironment(environment: Environment, names: readonly string[]): Record<string, string> {
  const allowed = [...ALWAYS, ...names];
  const passed = Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && allowed.some((pattern) => matches(name, pattern)) ? [[name, value] as const] : [],
  );
  return Object.fromEntries(passed);
}

function matches(name: string, pattern: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
