import { MuteTiming as MuteTimingResource } from "@cdktf/provider-grafana/lib/mute-timing";
import { Construct } from "constructs";
import * as v from "valibot";
import { checkDeclared, type Declared, object } from "../container/declaration";
import { escapeTemplate } from "../container/file";
import { all, validate } from "../container/validation";

const muteIntervalSchema = object({
  /** Times of day, `HH:MM`. The end is exclusive; `24:00` is the end of the day. */
  times: v.optional(v.array(object({ start: v.string(), end: v.string() }))),

  /** Days of the week or ranges of them, such as `saturday` or `monday:friday`. */
  weekdays: v.optional(v.array(v.string())),

  /**
   * The IANA name of the time zone.
   *
   * @default "UTC"
   */
  location: v.optional(v.string()),
});

const muteTimingSchema = object({
  /** The name by which routes refer to it. */
  name: v.string(),

  /** The intervals. Alerts are muted in each of them. */
  intervals: v.array(muteIntervalSchema),
});

/** An interval without notifications. Alerts still fire and are shown. */
export type MuteInterval = Declared<typeof muteIntervalSchema>;

/** Times without notifications. Alerts still fire and are shown. */
export type MuteTimingProps = Declared<typeof muteTimingSchema>;

const TIME = /^([01]\d|2[0-3]):[0-5]\d$|^24:00$/;
const DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/** Throws if a time or a weekday is invalid. */
export function validateMuteTiming(props: MuteTimingProps, scope?: Construct): void {
  const { name, intervals } = props;
  checkDeclared(muteTimingSchema, props, `mute timing "${name}"`, scope);
  all(
    ...intervals.flatMap(({ times = [] }) =>
      times.map(
        ({ start, end }) =>
          () =>
            validate(
              [start, end].every((time) => TIME.test(time)) && start < end,
              () =>
                `mute timing "${name}" lasts from ${start} to ${end}: use HH:MM, with the end after the start; split a night into two intervals`,
              scope,
            ),
      ),
    ),
    ...intervals.flatMap(({ weekdays = [] }) =>
      weekdays.map(
        (days) => () =>
          validate(
            days.split(":").length <= 2 && days.split(":").every((day) => DAYS.includes(day)),
            () =>
              `mute timing "${name}" has the weekdays "${days}": use ${DAYS.join(", ")}, or a range such as monday:friday`,
            scope,
          ),
      ),
    ),
  );
}

export class MuteTiming extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, props: MuteTimingProps) {
    super(scope, id);
    validateMuteTiming(props, this);
    this.name = props.name;
    new MuteTimingResource(this, "Resource", {
      name: escapeTemplate(props.name),
      intervals: props.intervals.map(({ times, weekdays, location }) => ({
        times: times?.map(({ start, end }) => ({ start, end })),
        weekdays: weekdays && [...weekdays],
        location: escapeTemplate(location ?? "UTC"),
      })),
    });
  }
}
