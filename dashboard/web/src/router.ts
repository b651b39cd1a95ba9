import { createRouter, createWebHistory, type Router } from 'vue-router'
import { screens } from './screens'
import type { Shift } from './shift/shift'
import type { Watch } from './store/watch'
import LiveView from './views/LiveView.vue'
import LoginView from './views/LoginView.vue'
import ShiftView from './views/ShiftView.vue'

/** The address is the screen: filters and selections live in it, so that a link shows what the sender saw. */
export function createConsoleRouter(watch: Watch, shift: Shift): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/', redirect: '/live' },
      { path: '/login', component: LoginView, meta: { bare: true } },
      { path: '/shift', component: ShiftView, meta: { bare: true } },
      { path: '/live', component: LiveView },
      { path: '/i/:id', component: screens.incident, props: true },
      { path: '/devices', component: screens.devices },
      { path: '/devices/:id', component: screens.device, props: true },
      { path: '/map', component: screens.map },
      { path: '/waste', component: screens.waste },
      { path: '/maintain', component: screens.maintain },
      { path: '/:rest(.*)', redirect: '/live' },
    ],
  })
  router.beforeEach((to) => {
    const next = to.path === '/login' || to.path === '/shift' ? to.query.next : to.fullPath
    if (!watch.user.value) return to.path === '/login' || { path: '/login', query: { next } }
    if (to.path === '/login') return { path: '/shift', query: { next } }
    if (!shift.record.value && to.path !== '/shift') return { path: '/shift', query: { next } }
    return true
  })
  return router
}
