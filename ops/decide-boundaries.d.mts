interface Cruise {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
      readonly cycle?: readonly { readonly name: string }[];
    }[];
    readonly ruleSetUsed?: {
      readonly forbidden?: readonly { readonly name: string; readonly comment?: string }[];
    };
  };
}

export const MODULES_MIN: number;
export function judgeCruise(
  cruise: Cruise,
  folders: readonly string[],
  modulesMin?: number,
): { readonly modulesCount: number; readonly problems: readonly string[] };
