import type { Departure, Members, Moves, OnMove } from "./cluster";

export class KafkaMembers implements Members {
  async describeDeparture(_node: string, _leaving: readonly string[]): Promise<Departure> {
    throw new Error("to be done");
  }
  async drain(_node: string, _leaving: readonly string[], _onMove: OnMove): Promise<void> {
    throw new Error("to be done");
  }
  async forget(_node: string, _leaving: readonly string[]): Promise<void> {
    throw new Error("to be done");
  }
  async describeArrival(_node: string, _joining: readonly string[]): Promise<Moves> {
    return { replicas: 0, bytes: 0 };
  }
  async fill(_node: string, _onMove: OnMove): Promise<void> {}
  async keep(_node: string, _staying: readonly string[]): Promise<readonly string[]> {
    return [];
  }
}
