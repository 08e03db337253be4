import type { StoreReceiver } from '../dimse/store-message.ts'

/**
 * Opens a receiver, and tells of the refusal when it, or what opens it, throws.
 * @throws what `begin` throws
 */
export function tellingRefusals(begin: () => StoreReceiver, refused: () => void): StoreReceiver {
  const receiver = orTell(begin, refused)
  return {
    write: (bytes) => orTell(() => receiver.write(bytes), refused),
    async end() {
      try {
        await receiver.end()
      } catch (error) {
        refused()
        throw error
      }
    },
    abandon: () => receiver.abandon(),
  }
}

function orTell<T>(act: () => T, refused: () => void): T {
  try {
    return act()
  } catch (error) {
    refused()
    throw error
  }
}
