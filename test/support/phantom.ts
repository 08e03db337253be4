/** The phantom that the demonstration sends: the tests use the same. */
export {
  type ChestPhantom,
  type ChestPhantomOptions,
  chestPhantom,
  type WritePhantomOptions,
  writePhantom,
} from '../../src/demo/phantom.ts'
