import { parse } from "yaml";
import { readOwnFile, type UploadedFile } from "../container/file";
import { SIDECAR_DIR } from "../init-sidecar/sidecar-dir";
import { configurationFile } from "./tls";

/** The directory with the configuration of the security plugin, which configuration.sh reads. */
export const CONFIGURATION_DIR = `${SIDECAR_DIR}/configuration`;

/** Renders the configuration that os-security applies, and the one that a cluster has from its first start. */
export function renderConfiguration(cluster: string): UploadedFile[] {
  const listeners = Object.entries<object>(declared("authfailurelisteners"));
  return [
    renderFile("audit.config.part", declared("audit").config),
    renderFile("audit.config.initial", parse(configurationFile("audit", cluster)).config),
    ...listeners.map(([name, body]) => renderFile(`authfailurelisteners.${name}.part`, body)),
  ];
}

// biome-ignore lint/suspicious/noExplicitAny: the configuration's schema is the security plugin's
const declared = (name: string): any => parse(readOwnFile(__dirname, `configuration/${name}.yml`));

const renderFile = (name: string, body: object): UploadedFile => ({
  path: `${CONFIGURATION_DIR}/${name}.json`,
  content: `${JSON.stringify(body, null, 2)}\n`,
});
