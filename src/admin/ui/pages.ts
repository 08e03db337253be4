import {
  IconBell,
  IconBrain,
  IconChartHistogram,
  IconClock,
  IconFolders,
  IconHistory,
  IconLayoutDashboard,
  IconPlugConnected,
  IconRoute,
  IconSend,
  IconSettings,
  IconShieldExclamation,
  IconStack2,
  IconUsers,
  type TablerIcon,
} from '@tabler/icons-react'
import { type ComponentType, type LazyExoticComponent, lazy } from 'react'
import type { Permission } from '../permissions.ts'

/** A page with its address below /admin; `:name` is a part of the address that the page gets as a property. */
export interface PageEntry {
  path: string
  page: LazyExoticComponent<ComponentType<Record<string, string>>>
  /** Who may come here; others do not see it in the navigation either. */
  needs: Permission
  /** Its place in the navigation; none for a page that is reached from another. */
  nav?: { label: string; icon: TablerIcon; group: NavGroup }
}

export const navGroups = ['Today', 'Flow', 'Insights', 'Node'] as const
export type NavGroup = (typeof navGroups)[number]

/** A chunk of its own: loaded when somebody goes there. */
function page<P>(load: () => Promise<{ [Name in string]: ComponentType<P> }>, name: string): PageEntry['page'] {
  return lazy(async () => {
    const found = (await load())[name]
    if (!found) throw new Error(`The page has no ${name}.`)
    return { default: found as unknown as ComponentType<Record<string, string>> }
  })
}

/** Every page, in the order of the navigation. */
export const pages: readonly PageEntry[] = [
  {
    path: '/',
    page: page(() => import('./pages/overview/overview-page.tsx'), 'OverviewPage'),
    needs: 'node.read',
    nav: { label: 'Overview', icon: IconLayoutDashboard, group: 'Today' },
  },
  {
    path: '/studies',
    page: page(() => import('./pages/studies/studies-page.tsx'), 'StudiesPage'),
    needs: 'studies.read',
    nav: { label: 'Studies', icon: IconFolders, group: 'Today' },
  },
  {
    path: '/studies/:studyInstanceUID',
    page: page(() => import('./pages/study/study-page.tsx'), 'StudyPage'),
    needs: 'studies.read',
  },
  {
    path: '/queue',
    page: page(() => import('./pages/queue/queue-page.tsx'), 'QueuePage'),
    needs: 'node.read',
    nav: { label: 'Queue', icon: IconStack2, group: 'Today' },
  },
  {
    path: '/quarantine',
    page: page(() => import('./pages/quarantine/quarantine-page.tsx'), 'QuarantinePage'),
    needs: 'quarantine.read',
    nav: { label: 'Quarantine', icon: IconShieldExclamation, group: 'Today' },
  },
  {
    path: '/routes',
    page: page(() => import('./pages/routes/routes-page.tsx'), 'RoutesPage'),
    needs: 'node.read',
    nav: { label: 'Routes', icon: IconRoute, group: 'Flow' },
  },
  {
    path: '/routes/:name',
    page: page(() => import('./pages/route/route-page.tsx'), 'RoutePage'),
    needs: 'node.read',
  },
  {
    path: '/new-route',
    page: page(() => import('./pages/new-route/new-route-page.tsx'), 'NewRoutePage'),
    needs: 'routes.draft',
  },
  {
    path: '/pipelines',
    page: page(() => import('./pages/pipelines/pipelines-page.tsx'), 'PipelinesPage'),
    needs: 'node.read',
    nav: { label: 'Pipelines', icon: IconBrain, group: 'Flow' },
  },
  {
    path: '/pipelines/:name',
    page: page(() => import('./pages/pipeline/pipeline-page.tsx'), 'PipelinePage'),
    needs: 'node.read',
  },
  {
    path: '/install-pipeline',
    page: page(() => import('./pages/install-pipeline/install-pipeline-page.tsx'), 'InstallPipelinePage'),
    needs: 'pipelines.manage',
  },
  {
    path: '/senders',
    page: page(() => import('./pages/senders/senders-page.tsx'), 'SendersPage'),
    needs: 'node.read',
    nav: { label: 'Senders', icon: IconPlugConnected, group: 'Flow' },
  },
  {
    path: '/destinations',
    page: page(() => import('./pages/destinations/destinations-page.tsx'), 'DestinationsPage'),
    needs: 'node.read',
    nav: { label: 'Destinations', icon: IconSend, group: 'Flow' },
  },
  {
    path: '/insights',
    page: page(() => import('./pages/insights/insights-page.tsx'), 'InsightsPage'),
    needs: 'insights.read',
    nav: { label: 'Insights', icon: IconChartHistogram, group: 'Insights' },
  },
  {
    path: '/insights/patient/:studyInstanceUID',
    page: page(() => import('./pages/insights/patient-page.tsx'), 'PatientPage'),
    needs: 'studies.read',
  },
  {
    path: '/notifications',
    page: page(() => import('./pages/notifications/notifications-page.tsx'), 'NotificationsPage'),
    needs: 'notifications.read',
    nav: { label: 'Notifications', icon: IconBell, group: 'Node' },
  },
  {
    path: '/schedules',
    page: page(() => import('./pages/schedules/schedules-page.tsx'), 'SchedulesPage'),
    needs: 'schedules.read',
    nav: { label: 'Schedules', icon: IconClock, group: 'Node' },
  },
  {
    path: '/access',
    page: page(() => import('./pages/access/access-page.tsx'), 'AccessPage'),
    needs: 'users.manage',
    nav: { label: 'Users', icon: IconUsers, group: 'Node' },
  },
  {
    path: '/audit',
    page: page(() => import('./pages/audit/audit-page.tsx'), 'AuditPage'),
    needs: 'audit.read',
    nav: { label: 'Audit', icon: IconHistory, group: 'Node' },
  },
  {
    path: '/settings',
    page: page(() => import('./pages/settings/settings-page.tsx'), 'SettingsPage'),
    needs: 'settings.read',
    nav: { label: 'Settings', icon: IconSettings, group: 'Node' },
  },
]
