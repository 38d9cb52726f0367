import { all, validate } from "../container/validation";
import { resourceFiles } from "./declared-resource";
import { IndexTemplate, type IndexTemplateProps } from "./index-template";

/** A data stream, which its first document creates. It is declared by its index template. */
export class DataStream {
  /** Creates the index template from a JSON file. Throws if it is invalid or has no `data_stream`. */
  static fromFile(path: string, props: IndexTemplateProps = {}): IndexTemplate {
    const template = IndexTemplate.fromFile(path, props);
    validate(
      template.body.data_stream !== undefined,
      () =>
        `index template ${path} has no data_stream: add "data_stream": {}, or move the file to catalog/index-templates/`,
    );
    return template;
  }

  /** Creates an index template from every `*.json` of a directory and its subdirectories. Throws if another file is there. */
  static fromDirectory(path: string, props: IndexTemplateProps = {}): IndexTemplate[] {
    const files = resourceFiles(path, "index-template");
    return all(...files.map((file) => () => DataStream.fromFile(file, props)));
  }

  private constructor() {}
}
