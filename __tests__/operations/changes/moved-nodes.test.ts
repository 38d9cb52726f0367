import { labThree } from "../../../lab/environments";
import { report, synthesis } from "../../support/previews";

const placed = (placement: Record<string, string>) => synthesis({ ...labThree, placement });

/** Returns what is destructive about the removal of a container. */
function destructive(removed: string, ...[base, head]: Parameters<typeof report>): string[] {
  return report(base, head)
    .changes.filter(({ node, action }) => node?.name === removed && action === "destroy")
    .flatMap((change) => change.destructive);
}

test("a node that moves to another machine is not reported as one that hands over its data", () => {
  expect(destructive("kafka-3", placed({}), placed({ "kafka-3": "a" }))).toEqual([
    "container kafka-3 moves from stack lab-three-messaging-c to lab-three-messaging-a: on another machine, it starts without its data unless you copied its volume there. npm run up refuses that if it would lose data, npx cdktf deploy does not",
  ]);
});

test("a node that leaves its cluster hands over its data", () => {
  const four = synthesis({ ...labThree, kafka: { ...labThree.kafka, brokers: 4 } });
  expect(destructive("kafka-4", four, placed({}))).toEqual([
    "container kafka-4 is removed from kafka: npm run up first moves its data to the other nodes, npx cdktf deploy does not; kafka-4-data stays as it is then",
  ]);
});
