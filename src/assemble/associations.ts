/** Which open associations (or STOW-RS requests) have brought instances to which studies. Lost with the process, as they are. */
export class OpenAssociations {
  readonly #studies = new Map<string, Set<number>>()

  opened(association: string): void {
    if (!this.#studies.has(association)) this.#studies.set(association, new Set())
  }

  /** An association that is not open (any more) keeps nothing open. */
  touched(association: string, studyIds: readonly number[]): void {
    const studies = this.#studies.get(association)
    if (studies) for (const id of studyIds) studies.add(id)
  }

  /** @returns the studies that it touched and that no other open association has touched */
  closed(association: string): number[] {
    const studies = this.#studies.get(association) ?? new Set()
    this.#studies.delete(association)
    return [...studies].filter((id) => !this.holds(id))
  }

  /** True while an association that touched the study is open. */
  holds(studyId: number): boolean {
    for (const studies of this.#studies.values()) if (studies.has(studyId)) return true
    return false
  }
}
