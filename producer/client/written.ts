/**
 * What a writer may put into data: exactly the declared fields, as the door asks.
 *
 * A contract's own data type is a reader's: it lets unknown fields through. Without them a misspelt field
 * does not compile.
 */
export type Written<Data> = Data extends string | number | boolean | null | undefined
  ? Data
  : Data extends readonly unknown[]
    ? { readonly [Index in keyof Data]: Written<Data[Index]> }
    : Data extends object
      ? WrittenFields<Data>
      : Data;

/** A map without declared fields is a map; beside declared fields, the others are what readers let through. */
type WrittenFields<Data extends object> = [DeclaredKeys<Data>] extends [never]
  ? { readonly [Key in keyof Data]: Written<Data[Key]> }
  : { readonly [Key in keyof Data as Declared<Key>]: Written<Data[Key]> };

type Declared<Key> = string extends Key ? never : number extends Key ? never : Key;

type DeclaredKeys<Data> = keyof { [Key in keyof Data as Declared<Key>]: true };
