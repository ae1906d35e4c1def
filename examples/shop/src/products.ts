export interface Product {
  readonly id: string
  readonly name: string
  readonly priceCents: number
}

const THINGS = ['Lamp', 'Chair', 'Kettle', 'Rug', 'Mirror', 'Shelf', 'Clock', 'Vase']
const MATERIALS = ['Oak', 'Steel', 'Linen', 'Glass', 'Clay']

/** p1 … p40. */
export const PRODUCTS: readonly Product[] = MATERIALS.flatMap((material, row) =>
  THINGS.map((thing, column) => ({
    id: `p${row * THINGS.length + column + 1}`,
    name: `${material} ${thing}`,
    priceCents: 990 + row * 1_700 + column * 430
  }))
)
