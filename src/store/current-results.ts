/**
 * SQL: true for rows of `jobs` whose revision (`revisions`) is the newest of their study (`studies`), and for those of an earlier one
 * whose results stand in it, because the input of their route has not changed; those of shadow routes too.
 */
export const isOfNewest = `(revisions.number = studies.revision or exists (
  select 1 from decisions as standing join revisions as newest on newest.id = standing.revision_id
  where newest.study_id = studies.id and newest.number = studies.revision
    and standing.stands_from = revisions.id and standing.route = jobs.route))`

/**
 * SQL: true for rows of `jobs` whose revision (`revisions`) is the newest of their study (`studies`), and for those of an earlier one
 * whose results stand in it, because the input of their route has not changed. Never those of shadow routes.
 */
export const isCurrent = `jobs.shadow = 0 and ${isOfNewest}`
