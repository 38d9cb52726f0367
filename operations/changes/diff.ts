import { isDeepStrictEqual } from "node:util";
import type { Json, Synthesis } from "../synthesis/tree";

/** One declared element that differs between two synthesized trees. */
export interface Difference {
  readonly stack: string;
  /** Type of the resource; `terraform`, `variable`, `output` or `provider` for the other elements of a stack. */
  readonly type: string;
  /** Terraform name, unique per type and stack. */
  readonly id: string;
  readonly before?: Json;
  readonly after?: Json;
  /** The previous id, from a `moved` block. */
  readonly movedFrom?: string;
}

/** Returns all differences, in the order of the stacks. */
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

/** Returns the elements that a stack declares, by `type.id`. */
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

/** Removes cdktf's own metadata, such as the construct path. */
function withoutComments(body: Json): Json {
  if (Array.isArray(body)) {
    return body;
  }
  const { "//": _, ...rest } = body;
  return rest;
}

/** Replaces a container's reference to its image with the image name: the reference stays when the version changes. */
function resolveImage(body: Json, stack: Json): Json {
  const [, id] = /^\$\{docker_image\.(.+)\.image_id\}$/.exec(body.image ?? "") ?? [];
  return id === undefined ? body : { ...body, image: stack.resource.docker_image[id].name };
}
