import type { ContainerState } from "../../operations/platform/containers";

/** Returns the state of a running container as the engine reports it. */
export function state({
  health,
  output = "",
  test: check = [],
  restarts = 0,
  ...state
}: {
  health?: string;
  output?: string;
  test?: string[];
  restarts?: number;
  Status?: string;
  ExitCode?: number;
  OOMKilled?: boolean;
}): ContainerState {
  return {
    Name: "/it",
    RestartCount: restarts,
    HostConfig: { MemoryReservation: 0 },
    State: {
      ...{ Status: "running", ExitCode: 0, OOMKilled: false, ...state },
      Health: health ? { Status: health, Log: [{ ExitCode: 1, Output: output }] } : undefined,
    },
    Config: { Healthcheck: health ? { Test: check } : undefined },
  };
}
