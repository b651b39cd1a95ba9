// One browser a file, one mock hub and fresh pages a test; everything is closed again, also when the test fails.
import { after, before } from 'node:test'
import { password, startMock } from '../mock/server.mjs'
import { launch, openPage } from './browser.mjs'
import { toConsole } from './pages.mjs'

export function useBrowser(options) {
  const shared = {}
  before(async () => { shared.browser = await launch(options) })
  after(() => shared.browser?.close())

  /** Runs `body` with a mock hub and a function that opens consoles; checks each page's faults at the end. */
  return async function scene(body, mockOptions) {
    const mock = await startMock(mockOptions)
    const opened = []
    const open = async (pageOptions) => {
      const session = await openPage(shared.browser, pageOptions)
      opened.push(session)
      return session
    }
    const console_ = async (user = 'li', pageOptions) => {
      const { page } = await open(pageOptions)
      await toConsole(page, mock.url, user, password)
      return page
    }
    try {
      await body({ mock, open, console: console_, password })
      for (const session of opened) await session.finish()
    } finally {
      for (const session of opened) await session.context.close().catch(() => {})
      await mock.close()
    }
  }
}
