// tls-engine.mjs DIRECTORY: serves the local engine on TCP with TLS, for clients with a certificate of the folder's CA. Prints its port.
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { createServer } from "node:tls";

const file = (name) => readFileSync(`${process.argv[2]}/${name}`);
const server = createServer(
  {
    ...{ key: file("server-key.pem"), cert: file("server-cert.pem"), ca: file("ca.pem") },
    ...{ requestCert: true, rejectUnauthorized: true },
    // `docker start --attach` closes its own side first.
    allowHalfOpen: true,
  },
  (client) => {
    const engine = connect({ path: "/var/run/docker.sock", allowHalfOpen: true });
    client.pipe(engine).pipe(client);
    for (const [one, other] of [
      [client, engine],
      [engine, client],
    ]) {
      one.on("error", () => other.destroy());
    }
  },
);
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
