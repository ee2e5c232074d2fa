export function listSources(root: string): string[];
export function fingerprintSources(root: string): string;
export function isAsset(path: string): boolean;
