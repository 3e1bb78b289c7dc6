import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { NodeRequest, NodeResponse } from "@helix-zed/server";

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

const securityHeaders = {
  // Nothing runs or loads but these very files, and nobody frames them.
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

interface StaticFile {
  readonly content: Buffer;
  readonly contentType: string;
  readonly etag: string;
}

/** The files of one folder, read once into memory; `index.html` is also `/`. Anything else in the folder stays private. */
export class StaticFiles {
  readonly #files = new Map<string, StaticFile>();

  constructor(folder: string) {
    for (const name of readdirSync(folder)) {
      const contentType = contentTypes[path.extname(name)];
      if (contentType === undefined) continue;
      const content = readFileSync(path.join(folder, name));
      const etag = `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`;
      this.#files.set(name === "index.html" ? "/" : `/${name}`, { content, contentType, etag });
    }
  }

  /** Answers GET and HEAD of a file; false: it is none. */
  handle(request: NodeRequest, response: NodeResponse, requestPath: string): boolean {
    const file = this.#files.get(requestPath);
    if (file === undefined || (request.method !== "GET" && request.method !== "HEAD")) return false;
    const { content, contentType, etag } = file;
    // The names do not change with the content: a browser asks each time, and is told when nothing changed.
    const headers = { ...securityHeaders, etag, "cache-control": "no-cache" };
    if (request.headers["if-none-match"] === etag) {
      response.writeHead(304, headers);
      response.end();
      return true;
    }
    response.writeHead(200, { ...headers, "content-type": contentType, "content-length": String(content.length) });
    if (request.method === "HEAD") response.end();
    else response.end(content);
    return true;
  }
}
