interface LockFile {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly version?: string;
        readonly integrity?: string;
        readonly optional?: boolean;
        readonly link?: boolean;
      }
    >
  >;
}

export function packagesProblem(wanted: LockFile, installed: LockFile | null): string | null;
