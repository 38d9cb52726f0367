import { OPENSEARCH_IMAGE } from "../../constructs/opensearch/opensearch-cluster";
import { docker, freshLab, TRIAL } from "./lab";
import type { Json } from "./platform";

/** One plaintext node of the lab's OpenSearch, for what does not depend on the number of nodes. */
export class OpenSearchNode {
  private container?: string;
  url = "";

  async start(): Promise<void> {
    await freshLab();
    this.container = docker(
      ...["run", ...TRIAL, "--detach", "--memory", "2g", "--publish", "127.0.0.1::9200"],
      ...["--env", "discovery.type=single-node", "--env", "DISABLE_SECURITY_PLUGIN=true"],
      ...["--env", "OPENSEARCH_JAVA_OPTS=-Xms512m -Xmx512m", OPENSEARCH_IMAGE, "opensearch"],
    );
    this.url = `http://${docker("port", this.container, "9200/tcp").split("\n")[0]}`;
    docker(
      ...["exec", this.container, "curl", "--silent", "--output", "/dev/null", "--max-time", "5"],
      ...["--retry", "120", "--retry-delay", "1", "--retry-all-errors"],
      "http://127.0.0.1:9200/_cluster/health?wait_for_status=yellow",
    );
  }

  remove(): void {
    if (this.container) {
      docker("rm", "--force", "--volumes", this.container);
    }
  }

  /** Sends a request. Returns the status and the response. */
  async ask(method: string, path: string, body?: Json): Promise<[number, Json]> {
    const response = await fetch(this.url + path, {
      method,
      headers: { "Content-Type": "application/json" },
      body: body && JSON.stringify(body),
    });
    return [response.status, await response.json()];
  }
}
