import { useSession } from '../api/session.tsx'

/** The node that this page belongs to, by its AE title: several may be open side by side. */
export function NodeName() {
  const { node } = useSession()
  return (
    <span className="node-name" title={`This node, at ${location.host}`}>
      {node}
    </span>
  )
}
