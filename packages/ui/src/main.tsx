import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import './style/tokens.css'
import './style/base.css'
import './style/shell.css'
import './style/tables.css'
import './style/service.css'
import './style/map.css'
import './style/open-spans.css'
import './style/traces.css'
import './style/trace.css'
import './style/trace-panel.css'

const root = document.getElementById('root')
if (root === null) throw new Error('The page has no element with the id "root".')
createRoot(root).render(<App />)
