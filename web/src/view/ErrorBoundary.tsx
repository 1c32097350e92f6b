import { Component } from 'preact';
import type { ComponentChildren } from 'preact';
import { t } from '../i18n';

interface Props {
  readonly children: ComponentChildren;
  /** Stands in place of what could not be drawn; without it, the whole page is taken to be broken. */
  readonly fallback?: ComponentChildren;
}

/** Keeps an error while something is drawn from emptying what is around it. */
export class ErrorBoundary extends Component<Props, { broken: boolean }> {
  override state = { broken: false };

  static override getDerivedStateFromError(): { broken: boolean } {
    return { broken: true };
  }

  override componentDidCatch(error: unknown): void {
    console.error(error);
  }

  override render(): ComponentChildren {
    if (!this.state.broken) return this.props.children;
    return (
      this.props.fallback ?? (
        <main class="empty fill">
          <p role="alert">{t('app.broken')}</p>
          <button type="button" class="button primary" onClick={() => location.reload()}>
            {t('app.reload')}
          </button>
        </main>
      )
    );
  }
}
