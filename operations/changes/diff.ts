import { isDeepStrictEqual } from "node:util";
import type { Json, Synthesis } from "../synthesis/tree";

/** One declared thing that differs between two synthesized trees. */
export interface Difference {
  readonly stack: string;
  /** Type of the resource; `terraform`, `variable`, `output` or `provider` for what a stack says beside its resources. */
  readonly type: string;
  /** Terraform's name for it, unique with the type in its stack. */
  readonly id: string;
  readonly before?: Json;
  readonly after?: Json;
  /** The id that a `moved` block names as the one it had before. */
  readonly movedFrom?: string;
}

/** Everything that differs, in the order of the stacks. */
export function differences(base: Synthesis, head: Synthesis): Difference[] {
  const stacks = [...new Set([...base.keys(), ...head.keys()])];
  return stacks.flatMap((stack) => stackDifferences(stack, base.get(stack), head.get(stack)));
}

function stackDifferences(stack: string, base: Json, head: Json): Difference[] {
  const before = elementsOf(base);
  const after = elementsOf(head);
  const moved = new Map<string, string>(
    (head?.moved ?? []).map(({ from, to }: Json) => [to, from]),
  );
  const claimed = new Set<string>();
  const found: Difference[] = [];
  for (const [key, element] of after) {
    const from = before.has(key) ? undefined : moved.get(key);
    const previous = before.get(from ?? key);
    claimed.add(from ?? key);
    if (from !== undefined || !isDeepStrictEqual(previous?.body, element.body)) {
      found.push({
        stack,
        type: element.type,
        id: element.id,
        before: previous?.body,
        after: element.body,
        movedFrom: from,
      });
    }
  }
  for (const [key, { type, id, body }] of before) {
    if (!claimed.has(key)) {
      found.push({ stack, type, id, before: body });
    }
  }
  return found;
}

interface Element {
  readonly type: string;
  readonly id: string;
  readonly body: Json;
}

/** What a stack declares, by `type.id`. */
function elementsOf(stack: Json): Map<string, Element> {
  const elements = new Map<string, Element>();
  const add = (type: string, id: string, body: Json) =>
    elements.set(`${type}.${id}`, { type, id, body });
  for (const [type, resources] of Object.entries<Json>(stack?.resource ?? {})) {
    for (const [id, body] of Object.entries<Json>(resources)) {
      add(type, id, resolveImage(withoutComments(body), stack));
    }
  }
  for (const [type, sources] of Object.entries<Json>(stack?.data ?? {})) {
    for (const [id, body] of Object.entries<Json>(sources)) {
      add(`data.${type}`, id, withoutComments(body));
    }
  }
  for (const kind of ["variable", "output", "provider"]) {
    for (const [id, body] of Object.entries<Json>(stack?.[kind] ?? {})) {
      add(kind, id, withoutComments(body));
    }
  }
  for (const [id, body] of Object.entries<Json>(stack?.terraform ?? {})) {
    add("terraform", id, body);
  }
  return elements;
}

/** cdktf's own notes, such as the construct's path, change nothing. */
function withoutComments(body: Json): Json {
  if (Array.isArray(body)) {
    return body;
  }
  const { "//": _, ...rest } = body;
  return rest;
}

/** A container refers to its image by Terraform's name, which stays when the version changes; what runs is the image. */
function resolveImage(body: Json, stack: Json): Json {
  const [, id] = /^\$\{docker_image\.(.+)\.image_id\}$/.exec(body.image ?? "") ?? [];
  return id === undefined ? body : { ...body, image: stack.resource.docker_image[id].name };
}
