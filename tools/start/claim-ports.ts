import { createServer } from "node:net";

/** A port that a process is going to listen on, and the setting that moves it. */
export interface WantedPort {
  /** 0 takes any free one. */
  readonly port: number;
  readonly usedBy: string;
  readonly setting: string;
}

/** Answers the ports in their order; throws one line that names every one which is taken. */
export async function claimPorts<const Wanted extends readonly WantedPort[]>(
  host: string,
  wanted: Wanted,
): Promise<{ [Index in keyof Wanted]: number }> {
  const claims = await Promise.all(wanted.map((each) => claim(host, each)));
  const problems = claims.filter((found) => typeof found === "string");
  if (problems.length > 0) throw new Error(`${problems.join(" ")} Stop what listens there, or choose another port.`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one number for each wanted port, as no claim failed
  return claims as { [Index in keyof Wanted]: number };
}

/** The port, or what is wrong with it. */
function claim(host: string, { port, usedBy, setting }: WantedPort): Promise<number | string> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "is in use" : `cannot be opened (${error.code ?? error.message})`;
      resolve(`Port ${port} for the ${usedBy} (${setting}) ${why}.`);
    });
    probe.listen(port, host, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : port));
    });
  });
}
