import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import './page.css'
import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Problem } from './api/problem.ts'
import { App } from './app.tsx'
import { ConfirmProvider } from './parts/confirm.tsx'
import { styleNonce } from './style-nonce.ts'
import { theme } from './theme.ts'

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5000,
      // What the node refuses it refuses again; what did not answer may be restarting.
      retry: (count, error) => count < 3 && (!(error instanceof Problem) || error.status === 0 || error.status >= 502),
      retryDelay: (count) => Math.min(1000 * 2 ** count, 5000),
      refetchOnWindowFocus: true,
    },
  },
})

const root = document.getElementById('root')
if (root)
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={styleNonce}>
        <QueryClientProvider client={client}>
          <Notifications position="bottom-right" autoClose={6000} limit={4} />
          <ConfirmProvider>
            <App />
          </ConfirmProvider>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  )
