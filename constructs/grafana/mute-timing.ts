import { MuteTiming as MuteTimingResource } from "@cdktf/provider-grafana/lib/mute-timing";
import { Construct } from "constructs";
import { validate } from "../service/validation";

/** Times in which nobody is notified; alerts still fire and are shown. */
export interface MuteTimingProps {
  /** By which routes refer to it. */
  readonly name: string;

  /** Muted when one of them holds. */
  readonly intervals: readonly MuteInterval[];
}

export interface MuteInterval {
  /** Hours of the day, `HH:MM`; the end is not muted any more, `24:00` is the day's. */
  readonly times?: readonly { readonly start: string; readonly end: string }[];

  /** Days or ranges of them, such as `saturday` or `monday:friday`. */
  readonly weekdays?: readonly string[];

  /**
   * Time zone by its IANA name.
   *
   * @default "UTC"
   */
  readonly location?: string;
}

export class MuteTiming extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, props: MuteTimingProps) {
    super(scope, id);
    this.name = props.name;
    for (const { start, end } of props.intervals.flatMap(({ times = [] }) => times)) {
      validate(
        [start, end].every((time) => /^([01]\d|2[0-3]):[0-5]\d$|^24:00$/.test(time)) && start < end,
        () =>
          `mute timing "${props.name}" lasts from ${start} to ${end}: both have to be HH:MM, the end after the start; write a night as two intervals`,
        this,
      );
    }
    new MuteTimingResource(this, "Resource", {
      name: props.name,
      intervals: props.intervals.map(({ times, weekdays, location }) => ({
        times: times?.map(({ start, end }) => ({ start, end })),
        weekdays: weekdays && [...weekdays],
        location: location ?? "UTC",
      })),
    });
  }
}
