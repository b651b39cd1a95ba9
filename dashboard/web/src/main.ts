import './compat'
import { createApp } from 'vue'
import App from './App.vue'
import { createConsole } from './app'
import { clientKey, consoleKey } from './console'
import { createSettings, settingsKey } from './frame/settings'
import { createTranslations, setLocale, storedLocale } from './i18n'
import { commandsKey } from './incidents/commands'
import { createConsoleRouter } from './router'
import { createShift, shiftKey } from './shift/shift'
import { alarmKey } from './sound/alarm'
import { catalogKey } from './store/catalog'
import { watchKey } from './store/watch'
import './styles/tokens.css'
import './styles/base.css'
import './styles/dialog.css'

async function boot(): Promise<void> {
  const translations = createTranslations()
  const settings = createSettings(translations)
  const shift = createShift()
  const console_ = { ...createConsole(), settings, shift }
  const router = createConsoleRouter(console_.watch, shift)
  await Promise.all([setLocale(translations, storedLocale()), console_.resume()])
  createApp(App)
    .use(translations)
    .use(router)
    .provide(settingsKey, settings)
    .provide(shiftKey, shift)
    .provide(watchKey, console_.watch)
    .provide(alarmKey, console_.alarm)
    .provide(commandsKey, console_.commands)
    .provide(catalogKey, console_.catalog)
    .provide(clientKey, console_.client)
    .provide(consoleKey, console_)
    .mount('#app')
}

void boot()
