import { Link } from 'wouter'
import { personName } from '../words.ts'

/** A study by its patient and description, as a way to its page. */
export function StudyName({
  study: { studyInstanceUID, patientName, studyDescription },
}: {
  study: { studyInstanceUID: string; patientName: string | null; studyDescription: string | null }
}) {
  return (
    <span className="study-name">
      <Link href={`/studies/${studyInstanceUID}`}>{personName(patientName)}</Link>
      <span className="muted"> {studyDescription || 'No description'}</span>
    </span>
  )
}
