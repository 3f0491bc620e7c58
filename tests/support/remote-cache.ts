import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const TOKEN = 'a token of this test';

/** A remote cache on loopback, with the protocol that Nx has for self-hosted ones. */
export class RemoteCache implements AsyncDisposable {
  /** What was stored, by the hash of its task: an archive as Nx has sent it. */
  readonly stored = new Map<string, Buffer>();
  /** Requests that were refused, for want of the token. */
  refused = 0;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<RemoteCache> {
    const server = createServer();
    const cache = new RemoteCache(server);
    server.on('request', (request, response) => void cache.answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return cache;
  }

  /** What lets nx use it. */
  get env(): Record<string, string> {
    const { port } = this.server.address() as AddressInfo;
    return {
      NX_SELF_HOSTED_REMOTE_CACHE_SERVER: `http://127.0.0.1:${port}`,
      NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: TOKEN,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const end = (status: number, body?: Buffer): void => {
      response.writeHead(status, { 'content-type': 'application/octet-stream' }).end(body);
    };
    if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      this.refused++;
      return end(401);
    }
    const [, hash] = /^\/v1\/cache\/([^/]+)$/.exec(request.url ?? '') ?? [];
    if (hash === undefined) return end(404);
    const known = this.stored.get(hash);
    if (request.method === 'GET') return known === undefined ? end(404) : end(200, known);
    if (request.method !== 'PUT') return end(405);
    if (known !== undefined) return end(409);
    this.stored.set(hash, Buffer.concat(chunks));
    end(200);
  }
}
