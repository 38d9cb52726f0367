import { filesIn } from "../container/file";
import { all, validate } from "../container/validation";
import { IndexTemplate, type IndexTemplateProps } from "./index-template";

/**
 * Data streams, each declared by the index template that makes it: the first document creates the stream. The template is active once a
 * deploy has succeeded. It is validated at synth.
 */
export const DataStream = {
  /** Creates the template from a JSON file. Its name is the file name without `.json`. Throws if it makes no data stream or is invalid. */
  fromFile(path: string, props: IndexTemplateProps = {}): IndexTemplate {
    const template = IndexTemplate.fromFile(path, props);
    validate(
      template.body.data_stream !== undefined,
      () =>
        `data stream ${path} has no data_stream: add "data_stream": {}, or move the file to catalog/index-templates/ if it is for plain indices`,
    );
    return template;
  },

  /** Creates a template from every `*.json` of a directory and its subdirectories. Throws if another file is there. */
  fromDirectory(path: string, props: IndexTemplateProps = {}): IndexTemplate[] {
    const files = filesIn(path, [".json"], "a data stream");
    return all(...files.map((file) => () => DataStream.fromFile(file, props)));
  },
};
