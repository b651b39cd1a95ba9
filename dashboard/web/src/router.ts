import { createRouter, createWebHistory, type Router } from 'vue-router'
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
      { path: '/i/:id', component: () => import('./views/IncidentView.vue'), props: true },
      { path: '/devices', component: () => import('./views/DevicesView.vue') },
      { path: '/devices/:id', component: () => import('./views/DeviceView.vue'), props: true },
      { path: '/map', component: () => import('./views/MapView.vue') },
      { path: '/waste', component: () => import('./views/WasteView.vue') },
      { path: '/maintain', component: () => import('./views/MaintainView.vue') },
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
