import type { VNode } from 'preact';

interface Props<T extends string> {
  readonly name: string;
  readonly label: string;
  readonly options: readonly T[];
  readonly chosen: T;
  readonly caption: (option: T) => string;
  readonly onChoose: (option: T) => void;
}

/** A row of radio buttons of which one is chosen. */
export function Choices<T extends string>({ name, label, options, chosen, caption, onChoose }: Props<T>): VNode {
  return (
    <fieldset class="choices">
      <legend>{label}</legend>
      <div class="choices-row">
        {options.map((option) => (
          <label key={option}>
            <input type="radio" name={name} value={option} checked={option === chosen} onChange={() => onChoose(option)} />
            <span lang={name === 'locale' ? option : undefined}>{caption(option)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
